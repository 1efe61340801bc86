mod damage;
mod killed;
mod reading;
mod rendered;
mod support;
mod writing;
