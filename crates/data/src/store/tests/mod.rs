mod damage;
mod killed;
mod reading;
mod support;
mod writing;
